/** List and keys of whoever was here go. What was not delivered stays, sealed, for the person who wrote it. */
const forgetList = async () => {
  await new Promise((done) => {
    const asked = indexedDB.deleteDatabase(DESK);
    asked.onsuccess = asked.onerror = asked.onblocked = done;
  });
  const rows = await allActs().catch(() => null);
  if (rows?.some((row) => row.state === "here")) await changeActs(rows.map((row) => row.key), (row) => row.state === "here");
  else if (rows) indexedDB.deleteDatabase(ACTS); // what cannot be read is not thrown away
};

/** The session is over: the pages go as well. */
const forget = async () => {
  for (const name of await caches.keys()) if (name.startsWith("desk-")) await caches.delete(name);
  await forgetList();
};
