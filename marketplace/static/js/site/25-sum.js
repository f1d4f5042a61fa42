/** The buying buttons say how many and how much, at the price of the tier that the quantity reaches. */
const buying = document.querySelector("form[data-buy]");
const yuan = (fen) => `¥${Math.floor(fen / 100).toLocaleString("en-US")}.${String(fen % 100).padStart(2, "0")}`;

if (buying) {
  const cells = [...document.querySelectorAll("[data-from]")];
  const quantity = buying.querySelector("[name=quantity]");
  const single = Number(buying.dataset.price);
  const update = () => {
    const number = Math.max(Number.parseInt(quantity.value, 10) || 1, 1);
    const reached = cells.filter((cell) => Number(cell.dataset.from) <= number).pop();
    for (const cell of cells) cell.classList.toggle("tiers__on", cell === reached);
    const sum = yuan(number * (reached ? Number(reached.dataset.price) : single));
    for (const button of document.querySelectorAll("[data-sum]")) {
      if (!button.hasAttribute("aria-busy")) button.textContent = buying.dataset.buy
        .replace("{n}", number.toLocaleString("en-US")).replace("{packs}", number === 1 ? buying.dataset.one : buying.dataset.several).replace("{sum}", sum);
    }
  };
  quantity.addEventListener("input", update);
  quantity.addEventListener("change", update);
  update();
}
