/** What is shown: pieces of the page's own templates, filled with text and never with markup. */
const screen = document.querySelector("[data-desk]");
const words = JSON.parse(screen.dataset.words);
const place = (name) => screen.querySelector(`[data-${name}]`);
const say = (word, blanks = {}) => Object.entries(blanks).reduce((text, [name, value]) => text.replace(`{${name}}`, value), words[word]);
const language = document.documentElement.lang;
const shortDay = (day) => new Date(`${day}T12:00:00`).toLocaleDateString(language, { month: "short", day: "numeric" });
const clockTime = (moment) => new Date(moment).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });

/** A copy of a template with texts in its [data-…] places; what has no text goes. */
const piece = (name, texts) => {
  const made = document.getElementById(`piece-${name}`).content.firstElementChild.cloneNode(true);
  for (const [where, text] of Object.entries(texts)) {
    const spot = made.matches(`[data-${where}]`) ? made : made.querySelector(`[data-${where}]`);
    if (text) spot.textContent = text;
    else spot.closest("[data-maybe]")?.remove();
  }
  return made;
};

const dayOf = (moment) => new Date(moment).toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });

const goodsOf = (parcel) => parcel.lines.map((line) => `${line.title} ${line.unit} × ${line.left}`);

const showStrip = (word, blanks) => {
  const strip = place("strip");
  strip.classList.toggle("offline", word !== "online");
  strip.classList.toggle("flash", word === "online");
  strip.classList.toggle("flash--done", word === "online");
  strip.querySelector("span").textContent = say(word, blanks);
  place("sign-in").hidden = word !== "ended";
};

const note = (word, isRight) => {
  const shown = place("said");
  shown.className = `flash flash--${isRight ? "done" : "failed"}`;
  shown.textContent = word ? say(word) : "";
  shown.hidden = !word;
  if (word) feel(isRight);
};

/** By when something is to be done with it; "" for what waits for its buyer. */
const dueDay = (parcel, list) => (list.queues.some((queue) => queue.dated && queue.states.includes(parcel.state)) ? parcel.by : "");

const card = (parcel, list) => {
  const day = dueDay(parcel, list);
  const shown = piece("parcel", { label: parcel.label, by: day && say("by", { day: shortDay(day) }), state: list.words[parcel.state], shelf: parcel.shelf, note: parcel.note, way: say(parcel.delivery === "pickup" ? "fetched" : "shipped") });
  shown.querySelector("[data-goods]").replaceChildren(...goodsOf(parcel).map((text) => piece("goods", { text })));
  return shown;
};

const showQueues = (list, parcels, open) => {
  const opened = new Set([...place("queues").querySelectorAll("details[open]")].map((each) => each.dataset.queue));
  const today = dayOf(Date.now() + list.offset);
  place("queues").replaceChildren(...list.queues.map((queue, number) => {
    const mine = parcels.filter((parcel) => queue.states.includes(parcel.state));
    const due = mine.map((parcel) => dueDay(parcel, list)).filter((day) => day && day <= today).length;
    const shown = piece("queue", { word: queue.word, count: String(mine.length), due: due ? say("due", { n: due }) : "" });
    shown.dataset.queue = number;
    shown.open = opened.has(String(number));
    shown.querySelector("ul").replaceChildren(...mine.map((parcel) => {
      const row = card(parcel, list);
      const button = piece("open", { label: parcel.label });
      button.addEventListener("click", () => open(parcel.id));
      row.append(button);
      return row;
    }));
    if (!mine.length) shown.querySelector("ul").append(piece("empty", { text: say("none") }));
    return shown;
  }));
};

const showActs = (list, acts) => {
  const rows = [...acts].reverse().slice(0, 60).map((act) => {
    const row = piece("act", { time: clockTime(act.at), what: stepOf(list.steps, act.step).done, label: act.label, mark: list.marks[act.state] });
    row.dataset.state = act.state;
    return row;
  });
  place("acts").replaceChildren(...(rows.length ? rows : [piece("empty", { text: say("no_acts") })]));
};

/** One parcel with the steps it can take, with a right `code` that of handing it over; `take(step, entered)` answers with the word for how it went. */
const showParcel = (parcel, list, code, take) => {
  const shown = place("parcel");
  if (!parcel) return shown.replaceChildren();
  const row = card(parcel, list);
  const steps = nextSteps(parcel, list.steps).filter((step) => !code || step.name === "pickup");
  for (const [number, step] of steps.entries()) {
    const form = piece("step", { words: step.words });
    form.dataset.step = step.name;
    form.querySelector("button").classList.add(number ? "button--second" : "button--give");
    form.querySelector("[data-fields]").replaceChildren(...step.fields.map((field) => {
      const made = piece("field", { label: field.label });
      const input = made.querySelector("input");
      input.name = field.name;
      if (field.name === "code") input.inputMode = "numeric";
      if (field.name === "code" && code) input.value = code;
      return made;
    }));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const entered = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.normalize("NFKC").trim()]));
      if (form.dataset.busy) return;
      form.dataset.busy = "yes";
      const word = await take(step, entered);
      delete form.dataset.busy;
      note(word, word === "right");
      if (word !== "right") form.querySelector("input")?.select();
    });
    row.append(form);
  }
  shown.replaceChildren(row);
  shown.scrollIntoView({ block: "nearest" });
  const first = row.querySelector("input") ?? row.querySelector("form button");
  (code ? row.querySelector("form button") : first)?.focus();
};
