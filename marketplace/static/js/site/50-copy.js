/** A button beside a code that copies it. */
for (const code of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button--small";
  button.textContent = code.dataset.copyWords;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.dataset.copy);
    button.textContent = code.dataset.copiedWords;
    setTimeout(() => { button.textContent = code.dataset.copyWords; }, 2000);
  });
  code.append(button);
}
