/** Acts stand sealed in the phone: only the person who wrote them gets the key, whoever signs in here meanwhile. */
const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const sealKey = (base64) => crypto.subtle.importKey("raw", bytesOf(base64), "AES-GCM", false, ["encrypt", "decrypt"]);
const proofKey = (base64) => crypto.subtle.importKey("raw", bytesOf(base64), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

const sealed = async (key, content) => {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const text = new TextEncoder().encode(JSON.stringify(content));
  return { iv, content: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, text) };
};

const unsealed = async (key, row) => {
  const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: row.iv }, key, row.content);
  return { ...JSON.parse(new TextDecoder().decode(text)), key: row.key, sequence: row.sequence, state: row.state, place: row.place };
};

/** The acts of whoever is signed in, in their order. */
const ownActs = async () => {
  const [owner, key, rows] = [await kept("owner"), await kept("seal"), await allActs()];
  return Promise.all(rows.filter((row) => key && row.owner === owner).map((row) => unsealed(key, row)));
};
