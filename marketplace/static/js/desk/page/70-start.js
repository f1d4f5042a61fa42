/** The desk in a phone: what is found, written and sent, and how that is going. */
const SOONEST = 20_000;
const LATEST = 300_000;
let network = navigator.onLine ? "sending" : "offline";
let pause = SOONEST;
let timer = 0;
let scanning = null; // what has to be given up for the camera to stop

const state = async () => {
  const [list, keys, acts] = [await kept("list"), await kept("keys"), await ownActs()];
  if (!list) return { acts };
  if (Date.now() + list.offset > list.until) { // a list of before yesterday misleads, and its keys have no business here
    await keep("list", undefined);
    await keep("keys", {});
    return { acts };
  }
  return { list, keys, acts, parcels: list.parcels.map((parcel) => standing(parcel, acts, list.steps)) };
};

const strip = (list, acts) => {
  const waiting = acts.filter((act) => act.state === "here").length;
  if (network === "ended" || network === "elsewhere") return showStrip(network);
  if (network === "full") return showStrip("full", { n: waiting });
  if (!list) return showStrip("nothing");
  if (network === "offline" && !waiting) return showStrip(Date.now() + list.offset > list.fresh_until ? "old" : "quiet");
  if (network === "offline") return showStrip("offline", { n: waiting });
  const conflicts = acts.filter((act) => act.state === "conflict").length;
  if (!waiting && conflicts) return showStrip("conflicts", { n: conflicts });
  return showStrip(waiting ? "sending" : "online", { n: waiting });
};

const show = async () => {
  const { list, acts, parcels } = await state();
  strip(list, acts);
  place("work").hidden = !list;
  if (!list) return place("queues").replaceChildren(), place("parcel").replaceChildren(), place("acts").replaceChildren();
  place("station").textContent = list.station;
  place("updated").textContent = say(list.left_out ? "part" : "updated", { n: list.left_out, time: clockTime(list.now - list.offset) });
  showQueues(list, parcels, (id) => openParcel(id));
  showActs(list, acts);
};

const openParcel = async (id, code = "") => {
  const { list, keys, parcels } = await state();
  const chosen = parcels?.find((parcel) => parcel.id === id);
  note("");
  showParcel(chosen, list, code, async (step, entered) => {
    const wrong = await wrongWith(chosen, step, entered, keys, list.day);
    if (wrong) return wrong;
    if (entered.code) entered.code = digitsOf(entered.code);
    const word = await write(chosen, step.name, entered);
    if (word === "right") {
      showParcel(null);
      await show();
      place("find").elements.code.focus();
      soon();
    }
    return word;
  });
};

/** A label, an order's number, a parcel's address or a pickup code, typed or scanned. */
const find = async (typed) => {
  const { list, keys, parcels } = await state();
  const text = typed.normalize("NFKC").trim();
  if (!list || !text) return;
  const name = text.split("/").pop();
  const byName = parcels.find((each) => [each.label, each.label.replace(/-\d+$/, "")].includes(name.toUpperCase()) || each.id === name.toLowerCase());
  const byCode = byName ? undefined : await parcelOfCode(parcels, text, keys, list.day);
  const found = byName ?? byCode;
  const next = byCode ? nextSteps(byCode, list.steps).map((step) => step.name) : [];
  const isUsed = byCode && !next.length; // one that nobody came for in time has its code still
  if (!found || isUsed) return showParcel(null), note(isUsed ? "used" : "unknown", false);
  await openParcel(found.id, next.includes("pickup") ? digitsOf(text) : "");
  feel(true);
};

const attempt = async () => {
  clearTimeout(timer);
  try {
    await exchange();
    network = "online";
    pause = SOONEST;
    await install().catch(() => {}); // a browser without workers keeps the acts all the same
  } catch (error) {
    if (error instanceof Ended) await leaveDesk();
    else if (error instanceof Elsewhere) network = "elsewhere";
    else {
      network = error?.name === "QuotaExceededError" ? "full" : "offline";
      pause = Math.min(pause * 2, LATEST);
    }
  }
  await show();
  clearTimeout(timer);
  if (network !== "ended") timer = setTimeout(attempt, pause * (0.8 + Math.random() * 0.4));
};
const soon = () => {
  pause = SOONEST;
  return attempt();
};

/** For `/station` itself too; the worker leaves alone what only begins like it. One of before reaches less, and goes. */
const install = async () => {
  const workers = navigator.serviceWorker;
  await workers?.register("/station/worker.js", { scope: "/station" });
  for (const old of await workers?.getRegistrations() ?? []) if (old.scope.endsWith("/station/")) await old.unregister();
  await navigator.storage?.persist?.();
};

const leaveDesk = async () => {
  network = "ended";
  await forget();
  for (const worker of await navigator.serviceWorker?.getRegistrations() ?? []) await worker.unregister();
};

place("find").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = event.target.elements.code;
  await find(field.value);
  field.value = "";
});

canScan().then((can) => {
  const button = place("scan");
  button.hidden = !can;
  button.addEventListener("click", async () => {
    if (scanning) return scanning.abort();
    const { signal } = scanning = new AbortController();
    place("camera").hidden = false;
    button.querySelector("strong").textContent = say("stop");
    const code = await scan(place("camera").querySelector("video"), () => signal.aborted).catch(() => note("no_camera", false));
    scanning = null;
    place("camera").hidden = true;
    button.querySelector("strong").textContent = say("camera");
    if (code) await find(code);
  });
});

addEventListener("online", soon);
addEventListener("offline", () => { network = "offline"; show(); });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) scanning?.abort(); // nobody looks: the camera's light goes out
  else soon();
});
// Another may have signed in since: with a network the house says who is here before anything is shown.
if (navigator.onLine) await Promise.race([attempt(), new Promise((done) => { setTimeout(done, 4000); })]);
await show();
if (!navigator.onLine) await attempt();
