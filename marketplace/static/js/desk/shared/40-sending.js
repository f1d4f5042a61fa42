/** Between phone and house: the list comes, acts go. Whatever is sent twice has one effect, so nothing is lost by trying. */
const AT_ONCE = 50;
const LONGEST = 60_000; // a network that says nothing holds up the next try no longer than that
const AS_HERE = new Set(["later"]);
const AS_CONFLICT = new Set(["conflict", "unreadable", "other_content"]);

class Ended extends Error {}
class Elsewhere extends Error {}
class Silent extends Error {}

const ask = async (path, options = {}) => {
  let answer;
  try {
    answer = await fetch(path, { redirect: "manual", cache: "no-store", signal: AbortSignal.timeout?.(LONGEST), ...options });
  } catch {
    throw new Silent();
  }
  if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) throw new Ended();
  return answer;
};

/** The list of the day. Another person's is forgotten before this one's is kept. */
const fetchList = async () => {
  const answer = await ask("/station/offline/day");
  if (answer.status === 404) throw new Ended();
  if (!answer.ok) throw new Silent();
  const { token, seal, pickup_keys: days, ...list } = await answer.json();
  const owner = await kept("owner");
  if (owner && owner !== list.owner) await forgetList(); // the pages are alike for everybody
  const keys = {};
  for (const [day, key] of Object.entries(days)) keys[day] = await proofKey(key);
  if (!(await kept("client"))) await keep("client", crypto.randomUUID());
  await keep("owner", list.owner);
  await keep("seal", await sealKey(seal));
  await keep("keys", keys);
  await keep("token", token);
  await keep("tries", {});
  await keep("list", { ...list, offset: list.now - Date.now() });
  const taken = new Map(list.parcels.map((parcel) => [parcel.id, parcel.steps]));
  const isFree = (place = "") => taken.get(place.split(":")[0]) <= Number(place.split(":")[1]); // an act that was set aside
  const rows = (await allActs()).filter((row) => row.owner === list.owner && row.state !== "here");
  await changeActs(rows.map((row) => row.key), (row) => {
    row.state = list.open[row.key] ?? (row.isOurs ? row.state : "sent");
    if (row.state === "conflict" || (row.state === "sent" && isFree(row.place))) delete row.place;
    return list.now - row.sentAt < 36 * 3600 * 1000 || (row.state !== "sent" && !row.isOurs);
  });
};

const post = async (acts) => {
  const from = { client: await kept("client"), owner: await kept("owner") };
  const body = JSON.stringify({ ...from, sent_at: Date.now(), acts: acts.map(({ state, label, place, ...act }) => act) });
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": await kept("token") };
  return ask("/station/offline/acts", { method: "POST", headers, body });
};

/** Deliver what waits in this phone; how many acts that were. Raises Ended, Elsewhere, Silent; what is not answered stays. */
const deliver = async () => {
  for (let sent = 0; ;) {
    const waiting = (await ownActs()).filter((act) => act.state === "here").slice(0, AT_ONCE);
    if (!waiting.length) return sent;
    const answer = await post(waiting);
    if (answer.status === 409) throw new Elsewhere();
    if (!answer.ok) throw new Silent();
    const { outcomes, now, token } = await answer.json();
    await keep("token", token);
    const moved = outcomes.filter((each) => !AS_HERE.has(each.state));
    const states = new Map(moved.map((each) => [each.key, each.state]));
    await changeActs([...states.keys()], (row) => {
      const state = states.get(row.key);
      row.state = AS_CONFLICT.has(state) ? "conflict" : state === "waiting" ? "waiting" : "sent";
      row.isOurs = state === "unreadable" || state === "other_content"; // the house knows of no conflict then
      row.sentAt = now;
      if (row.state === "conflict") delete row.place;
      return true;
    });
    if (!moved.length) throw new Silent();
    sent += moved.length;
  }
};

/** Who is here comes first: nobody sends what another wrote. Pages and service worker of one phone wait for each other. */
const alone = (work) => (navigator.locks ? navigator.locks.request("desk-exchange", work) : work());
const exchange = () => alone(async () => {
  await fetchList();
  if (await deliver()) await fetchList();
});
