/** The service worker of the desk: keeps its one page and what that is made of, and never a page of anything else. */
const KEPT = `desk-${VERSION}`;
const PAGE = SHELL[0];

/** A page of another version is made of what is not kept here: its own worker keeps it. */
const keepIfOurs = async (page) => {
  const text = await page.clone().text();
  const isOurs = SHELL.slice(1).every((address) => text.includes(address));
  if (isOurs) await (await caches.open(KEPT)).put(PAGE, page);
  return isOurs;
};

const keepPage = async () => {
  const page = await fetch(PAGE, { redirect: "manual", cache: "no-store" });
  return page.ok && keepIfOurs(page);
};

addEventListener("install", (event) => {
  event.waitUntil((async () => {
    await (await caches.open(KEPT)).addAll(SHELL.slice(1));
    if (!(await keepPage())) throw new Error("signed out, or of another version");
    await skipWaiting();
  })());
});

addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("desk-") && name !== KEPT) await caches.delete(name);
    await clients.claim();
  })());
});

/** A page of the desk: from the house, or without a network the one that is kept; as well where the network says nothing. */
const open = async (request) => {
  const isKept = new URL(request.url).pathname === PAGE;
  const asked = fetch(request);
  try {
    const answer = await (isKept ? Promise.race([asked, new Promise((_, late) => { setTimeout(late, 4000); })]) : asked);
    if (isKept) {
      if (answer.ok) await keepIfOurs(answer.clone());
      else if (answer.type === "opaqueredirect" || answer.status === 403) await check();
    }
    return answer;
  } catch {
    const page = await caches.match(PAGE, { ignoreVary: true });
    if (!page) return asked;
    return isKept ? page : Response.redirect(PAGE, 302);
  }
};

/** A page that is not answered may be a change of language, or the end of the session: the list tells which. */
const check = () => fetchList().catch((error) => (error instanceof Ended ? leave() : undefined));

/** Signed out elsewhere: nothing of it stays here, this worker neither. */
const leave = async () => {
  await forget();
  await registration.unregister();
};

addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin) return;
  const isOfTheDesk = address.pathname === "/station" || address.pathname.startsWith("/station/"); // and not /stations
  if (request.mode === "navigate") isOfTheDesk && event.respondWith(open(request));
  else if (SHELL.includes(address.pathname)) {
    event.respondWith(caches.match(request, { ignoreSearch: true, ignoreVary: true }).then((found) => found ?? fetch(request)));
  }
});

addEventListener("sync", (event) => {
  if (event.tag !== "desk-acts") return;
  event.waitUntil(exchange().catch((error) => {
    if (error instanceof Ended) return leave();
    throw error; // the browser tries again later
  }));
});
