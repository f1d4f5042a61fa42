/** Figures of a page that stays open are asked for again while somebody looks: quietly, and ever less often. */
const live = document.querySelector("[data-live]");
const SOONEST = 15000;
const LATEST = 120000;
let wait = SOONEST;
let known = "";

async function askAgain() {
  if (document.hidden) return later(SOONEST);
  const headers = known ? { "If-None-Match": known } : {};
  const answer = await fetch(live.dataset.live, { headers, cache: "no-store" }).catch(() => null);
  if (answer?.status === 200) {
    known = answer.headers.get("ETag") ?? "";
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.body.textContent.replace(/\s+/g, "") !== live.textContent.replace(/\s+/g, "")) {
      live.replaceChildren(...page.body.childNodes);
      return later((wait = SOONEST));
    }
  }
  later((wait = Math.min(wait * 1.5, LATEST)));
}

function later(milliseconds) {
  setTimeout(askAgain, milliseconds);
}

if (live) later(SOONEST);
