/** An act is on the disk before anybody is told that it is done. Answers "right", or the word for what was wrong. */
const write = async (parcel, step, entered) => {
  try {
    const content = { step, parcel: parcel.id, label: parcel.label, after: parcel.steps, at: Date.now(), entered };
    const owner = { key: crypto.randomUUID(), owner: await kept("owner"), place: `${parcel.id}:${parcel.steps}`, state: "here" };
    const row = { ...owner, ...(await sealed(await kept("seal"), content)) };
    await within(ACTS, "readwrite", (rows) => rows.add(row));
  } catch (error) {
    return error?.name === "ConstraintError" ? "used" : "not_kept";
  }
  navigator.serviceWorker?.ready.then((worker) => worker.sync?.register("desk-acts")).catch(() => {});
  return "right";
};

/** By the desk's own rules, which came with the list. */
const fits = ({ least = 0, most = Infinity, pattern = "" }, text) => text.length >= least && text.length <= most && RegExp(pattern).test(text);

/** What is entered for a step, checked as the house will check it; "" where it is right. */
const wrongWith = async (parcel, step, entered, keys, today) => {
  if (step.fields.some((field) => !entered[field.name])) return "missing";
  if (!("code" in entered)) return step.fields.every((field) => fits(field, entered[field.name])) ? "" : "unfit";
  if (await isTired(parcel)) return "tired";
  if (await isRightCode(parcel, entered.code, keys, today)) return "";
  await countTry(parcel);
  return "wrong";
};
