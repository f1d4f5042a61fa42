/** The desk's page of scanning: what the camera reads is looked for as if it had been typed. */
const button = document.querySelector("[data-scan]");
const picture = document.querySelector("[data-camera]");
const field = document.getElementById("code");
let scanning = null; // what has to be given up for the camera to stop

canScan().then((can) => { button.hidden = !can; });
button.addEventListener("click", async () => {
  if (scanning) return scanning.abort();
  const { signal } = scanning = new AbortController();
  const words = button.querySelector("strong");
  const said = words.textContent;
  words.textContent = button.dataset.stop;
  picture.hidden = false;
  const code = await scan(picture.querySelector("video"), () => signal.aborted).catch(() => {
    document.getElementById("code-note").textContent = button.dataset.failed;
  });
  scanning = null;
  picture.hidden = true;
  words.textContent = said;
  if (!code) return;
  field.value = code;
  field.form.requestSubmit();
});
document.addEventListener("visibilitychange", () => { if (document.hidden) scanning?.abort(); }); // the camera's light goes out
