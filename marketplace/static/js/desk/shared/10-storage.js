/** What a phone keeps. "desk": the list, its keys, whom it is for; gone with the session. "desk-acts": what was done here. */
const DESK = "desk";
const ACTS = "desk-acts";

const opened = (name) => new Promise((done, failed) => {
  const asked = indexedDB.open(name, 1);
  asked.onupgradeneeded = () => {
    if (name === DESK) return void asked.result.createObjectStore("rows");
    const acts = asked.result.createObjectStore("rows", { keyPath: "sequence", autoIncrement: true });
    acts.createIndex("key", "key", { unique: true });
    acts.createIndex("place", "place", { unique: true }); // no place of a parcel is taken twice in this phone
  };
  asked.onsuccess = () => {
    asked.result.onversionchange = () => asked.result.close();
    done(asked.result);
  };
  asked.onerror = () => failed(asked.error);
});

/** Ask one store; it is on the disk when this is answered, not only on its way there. */
const within = async (name, mode, ask) => {
  const base = await opened(name);
  try {
    return await new Promise((done, failed) => {
      const transaction = base.transaction("rows", mode, { durability: "strict" });
      const asked = ask(transaction.objectStore("rows"));
      transaction.oncomplete = () => done(asked?.result);
      transaction.onabort = () => failed(transaction.error);
    });
  } finally {
    base.close();
  }
};

const kept = (name) => within(DESK, "readonly", (rows) => rows.get(name));
const keep = (name, value) => within(DESK, "readwrite", (rows) => rows.put(value, name));
const allActs = () => within(ACTS, "readonly", (rows) => rows.getAll());

/** Change acts by their keys, in one go: `change` gets a row and says whether it is kept. */
const changeActs = (keys, change) => within(ACTS, "readwrite", (rows) => {
  for (const key of keys) {
    const asked = rows.index("key").get(key);
    asked.onsuccess = () => {
      const row = asked.result;
      if (row) change(row) ? rows.put(row) : rows.delete(row.sequence);
    };
  }
});
