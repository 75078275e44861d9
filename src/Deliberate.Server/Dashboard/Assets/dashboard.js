// Keeps marked parts of the page up to date by asking for the page again. Everything works without this script.
const parts = [...document.querySelectorAll('[data-live][id]')];
const Every = 2000, EveryWhenHidden = 30000;

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
    }
  } catch {
    // The server is away: the next look may find it again.
  }
}

if (parts.length > 0) (function again() {
  setTimeout(async () => { await refresh(); again(); }, document.hidden ? EveryWhenHidden : Every);
})();
