/** Pickup codes are known without asking anybody: their proof is made again with the key of their day. */
const MOST_TRIES = 5;
const MILLION = 1000000n;
const digitsOf = (typed) => typed.normalize("NFKC").replace(/[\s-]/g, "");

const macOf = async (key, text) => new DataView(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
const proofOf = async (key, number) => String((await macOf(key, number)).getBigUint64(0) % MILLION).padStart(6, "0");
const hexOf = (view) => [...new Uint8Array(view.buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const isRightCode = async (parcel, typed, keys, today) => {
  const code = digitsOf(typed);
  const { number, day, verifier } = parcel.pickup ?? {};
  if (number) return Boolean(keys[day]) && code === number + await proofOf(keys[day], number);
  return Boolean(verifier) && /^\d{6}$/.test(code) && verifier === hexOf(await macOf(keys[today], `${parcel.id}:${code}`));
};

/** The parcel that a code opens; undefined for none. */
const parcelOfCode = async (parcels, typed, keys, today) => {
  if (!/^\d{6}(\d{3})?$/.test(digitsOf(typed))) return undefined;
  for (const parcel of parcels) if (await isRightCode(parcel, typed, keys, today)) return parcel;
  return undefined;
};

/** Whoever guesses is stopped: wrong codes of a parcel are counted until the next list. */
const countTry = async (parcel) => {
  const tries = (await kept("tries")) ?? {};
  tries[parcel.id] = (tries[parcel.id] ?? 0) + 1;
  await keep("tries", tries);
};
const isTired = async (parcel) => ((await kept("tries")) ?? {})[parcel.id] >= MOST_TRIES;
