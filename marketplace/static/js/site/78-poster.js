/** A poster is drawn here, so that it is kept as a picture that every phone opens and sends on; else as it came. */
const painted = async (link) => {
  const image = new Image();
  image.src = link.href;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext("2d").drawImage(image, 0, 0);
  return new Promise((done, failed) => { canvas.toBlob((blob) => (blob ? done(blob) : failed(blob)), "image/png"); });
};

for (const link of document.querySelectorAll("a[data-paint]")) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    const kept = document.createElement("a");
    const blob = await painted(link).catch(() => null);
    kept.href = blob ? URL.createObjectURL(blob) : link.href;
    kept.download = blob ? link.dataset.paint : "";
    kept.click();
    if (blob) setTimeout(() => URL.revokeObjectURL(kept.href), 60_000);
  });
}
