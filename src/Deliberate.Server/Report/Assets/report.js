// Filters and folds only: the page says all without this script.
for (const controls of document.querySelectorAll('[data-controls]')) controls.hidden = false;

const kinds = document.querySelector('[data-kinds]');
kinds?.addEventListener('change', () => {
  for (const item of document.querySelectorAll('[data-kind]')) item.hidden = kinds.value !== '' && item.dataset.kind !== kinds.value;
});

const unfold = document.querySelector('[data-unfold]');
unfold?.addEventListener('click', () => {
  const open = unfold.getAttribute('aria-pressed') !== 'true';
  unfold.setAttribute('aria-pressed', String(open));
  unfold.textContent = open ? 'Hide all thinking' : 'Show all thinking';
  for (const thinking of document.querySelectorAll('details.thinking')) thinking.open = open;
});

const find = document.querySelector('[data-find]');
find?.addEventListener('input', () => {
  const words = find.value.trim().toLowerCase().split(/\s+/);
  for (const row of document.querySelectorAll('table.all tbody tr')) row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word));
});

// Paper has no folds.
addEventListener('beforeprint', () => { for (const part of document.querySelectorAll('details')) part.open = true; });
