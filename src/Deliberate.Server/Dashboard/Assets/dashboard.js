// Everything works without this script. It unfolds texts where that is asked for, and keeps marked parts of the page up to date by asking for the page again.
const parts = [...document.querySelectorAll('[data-live][id]')];
const Every = 2000, EveryWhenHidden = 30000;

// Who wants to read all texts at once says so on one page, and this browser remembers it for all of them.
const all = document.querySelector('[data-unfold-all]'), Wanted = 'deliberate-unfold';
function stored(change) { try { return change(localStorage); } catch { return null; } }
function show(within) { if (all?.checked) for (const text of within.querySelectorAll('details.text-fold, details.thinking')) text.open = true; }
if (all) {
  all.checked = stored(store => store.getItem(Wanted)) === 'yes';
  show(document);
  all.addEventListener('change', () => {
    stored(store => all.checked ? store.setItem(Wanted, 'yes') : store.removeItem(Wanted));
    for (const text of document.querySelectorAll('details.text-fold, details.thinking')) text.open = all.checked;
  });
}

async function refresh() {
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' }, redirect: 'error' });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const part of parts) {
      const now = page.getElementById(part.id);
      // Who is in the middle of something is not disturbed.
      if (!now || now.innerHTML === part.innerHTML || part.contains(document.activeElement)) continue;
      part.replaceChildren(...now.childNodes);
      show(part);
    }
  } catch {
    // The server is away: the next look may find it again.
  }
}

if (parts.length > 0) (function again() {
  setTimeout(async () => { await refresh(); again(); }, document.hidden ? EveryWhenHidden : Every);
})();
