/** The session is over: list, keys and pages go. What was not delivered stays, sealed, for the person who wrote it. */
const forget = async () => {
  for (const name of await caches.keys()) if (name.startsWith("desk-")) await caches.delete(name);
  await new Promise((done) => {
    const asked = indexedDB.deleteDatabase(DESK);
    asked.onsuccess = asked.onerror = asked.onblocked = done;
  });
  const waits = await allActs().then((rows) => rows.filter((row) => row.state === "here"), () => []);
  if (!waits.length) indexedDB.deleteDatabase(ACTS);
  else await changeActs((await allActs()).map((row) => row.key), (row) => row.state === "here");
};
