/** What is typed into a long form stays in this phone until it has arrived, also where the network or the browser goes away. */
const LEFT = "draft-left"; // which draft was sent last: in this tab, and only until a page is shown
const draftNote = document.querySelector("[data-draft]");
const draftForm = draftNote?.closest("form");
const draftName = draftForm && `draft:${new URL(draftForm.action).pathname}`;
const drafts = (() => { try { return localStorage; } catch { return null; } })(); // a browser may forbid it

// What the house has taken leads on to a page. One that was opened by hand, an error or the way to sign in says nothing of it.
const hasArrived = () => {
  const shown = performance.getEntriesByType("navigation")[0] ?? performance.navigation;
  return shown.redirectCount > 0 && !location.pathname.startsWith("/sign-in") && !document.querySelector(".flash--failed");
};

if (drafts) {
  const left = sessionStorage.getItem(LEFT);
  sessionStorage.removeItem(LEFT);
  if (left && left !== draftName && hasArrived()) drafts.removeItem(left);
}

if (drafts && draftForm) {
  const fields = [...draftForm.elements].filter((each) => each.name && !["hidden", "file", "submit", "button"].includes(each.type));
  const isTicked = (field) => ["checkbox", "radio"].includes(field.type);
  const chosen = (field) => [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
  const now = () => fields.map((field) => (isTicked(field) ? field.checked : field.value));
  const shown = fields.map((field) => // as the house wrote it, whatever the browser has filled in again by itself
    isTicked(field) ? field.defaultChecked : field.options ? chosen(field)?.value : field.defaultValue);
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const wasRefused = Boolean(draftForm.querySelector(".errors"));
  const known = JSON.parse(drafts.getItem(draftName) ?? "null");
  const base = wasRefused && known ? known.base : shown;

  const say = (words, kind) => {
    draftNote.className = `flash flash--${kind}`;
    draftNote.textContent = words;
    draftNote.hidden = false;
  };
  const fill = (values) => fields.forEach((field, place) => {
    if (same(isTicked(field) ? field.checked : field.value, values[place])) return;
    isTicked(field) ? (field.checked = values[place]) : (field.value = values[place]);
    if (field.closest("details")) field.closest("details").open = true;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const forget = () => {
    drafts.removeItem(draftName);
    draftNote.hidden = true;
  };

  draftForm.addEventListener("input", () => {
    same(now(), base) ? drafts.removeItem(draftName) : drafts.setItem(draftName, JSON.stringify({ base, values: now() }));
  });
  draftForm.addEventListener("submit", (event) => {
    if (navigator.onLine) return sessionStorage.setItem(LEFT, draftName);
    event.preventDefault();
    say(draftNote.dataset.offline, "failed");
  });
  if (known && !wasRefused) {
    if (same(known.base, shown) && !same(known.values, shown)) { // else the house has it, or something newer
      fill(known.values);
      say(draftNote.dataset.kept, "note");
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "button button--small", textContent: draftNote.dataset.discard });
      button.addEventListener("click", () => { fill(shown); forget(); });
      draftNote.append(" ", button);
    } else forget();
  }
}

document.querySelector("form[action$='/sign-out']")?.addEventListener("submit", () => {
  for (const name of Object.keys(drafts ?? {})) if (name.startsWith("draft:")) drafts.removeItem(name);
});
