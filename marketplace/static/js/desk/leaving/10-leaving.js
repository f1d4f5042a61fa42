/** On the page of signing in: what a session that ended elsewhere had left here goes. Before signing out: what waits is told. */
const isKept = async (name) => (await indexedDB.databases?.() ?? []).some((each) => each.name === name);
const clean = document.querySelector("[data-desk-forget]");
const form = document.querySelector("[data-desk-waits]");

if (clean && (await isKept(DESK))) {
  for (const worker of await navigator.serviceWorker?.getRegistrations() ?? []) {
    if (/\/station\/?$/.test(worker.scope)) await worker.unregister();
  }
  await forget();
}

form?.addEventListener("submit", async (event) => {
  if (form.dataset.told) return;
  event.preventDefault();
  form.dataset.told = "yes";
  const waiting = (await isKept(ACTS)) ? (await allActs()).filter((row) => row.state === "here").length : 0;
  if (!waiting) return form.requestSubmit();
  const note = document.createElement("p");
  note.className = "flash flash--failed";
  note.setAttribute("role", "alert");
  note.textContent = form.dataset.deskWaits.replace("{n}", waiting);
  form.before(note);
});
