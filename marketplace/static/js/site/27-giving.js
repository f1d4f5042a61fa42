/** The giving buttons say how much, as it is chosen or typed. */
const giving = document.querySelector("form[data-give]");

if (giving) {
  const yuan = (fen) => `¥${Math.floor(fen / 100).toLocaleString("en-US")}.${String(fen % 100).padStart(2, "0")}`;
  const sumOf = (text) => (/^\d{1,7}(\.\d{1,2})?$/.test(text) ? Math.round(Number(text) * 100) : 0);
  const plain = giving.querySelector("[data-sum]").textContent;
  const update = () => {
    const choice = giving.elements.choice.value;
    const own = giving.elements.amount;
    const fen = choice === "own" ? sumOf(own.value.normalize("NFKC").trim()) : Number(choice);
    const words = fen ? giving.dataset.give.replace("{sum}", yuan(fen)) : plain;
    for (const button of document.querySelectorAll("[data-sum]")) if (!button.hasAttribute("aria-busy")) button.textContent = words;
  };
  giving.addEventListener("input", update);
  giving.addEventListener("change", (event) => {
    update();
    if (event.target.value === "own" && event.target.name === "choice") giving.elements.amount.focus();
  });
  addEventListener("pageshow", update);
  update();
}
