/** A page that waits for the worker looks again by itself, sooner than its header says, and says how far it is. */
const waiting = document.querySelector("[data-look-again]");

async function lookAgain() {
  const answer = await fetch(waiting.dataset.lookAgain).catch(() => null);
  if (!answer?.ok) return setTimeout(lookAgain, 2000);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = page.querySelector("[data-look-again]");
  if (!now) return location.reload();
  waiting.replaceChildren(...now.childNodes);
  setTimeout(lookAgain, 500);
}

if (waiting) setTimeout(lookAgain, 300);
