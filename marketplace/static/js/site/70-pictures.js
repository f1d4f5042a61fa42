/** Pictures are made smaller on the phone before they travel, and shown under the field. What fails is sent as it is. */
const shrunk = async (file, longest) => {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  if (scale === 1 && file.size < 500_000) return file;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.85); });
  return blob && blob.size < file.size ? new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" }) : file;
};

for (const field of document.querySelectorAll("input[type=file][data-shrink]")) {
  const shown = document.createElement("p");
  shown.className = "note";
  shown.setAttribute("role", "status");
  field.after(shown);
  field.addEventListener("change", async () => {
    const longest = Number(field.dataset.shrink);
    const files = await Promise.all([...field.files].map((file) => shrunk(file, longest).catch(() => file)));
    const kept = new DataTransfer();
    files.forEach((file) => kept.items.add(file));
    field.files = kept.files;
    shown.textContent = files.map((file) => `${file.name} · ${Math.ceil(file.size / 1024)} kB`).join(", ");
  });
}
