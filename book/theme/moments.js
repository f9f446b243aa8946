// What the pages do beyond being read: questions that answer, a memory of them, and keys that stay where they are.
// Every page is complete without this script.
'use strict';

(() => {
  const STORE = 'moments';

  const load = () => {
    const empty = { answers: {}, totals: {}, read: {} };
    try {
      return Object.assign(empty, JSON.parse(localStorage.getItem(STORE)));
    } catch {
      return empty;
    }
  };
  const save = (change) => {
    const state = load();
    change(state);
    try {
      localStorage.setItem(STORE, JSON.stringify(state));
    } catch {
      // A private window may forbid it; the page works all the same.
    }
    showProgress();
  };

  const element = (name, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  };

  // Questions

  const readNumber = (text) => {
    let plain = text.trim().replace(/[\u2212\u2013]/g, '-').replace(/\s*(?:\u00d7|\*|x)\s*10\^?\s*\(?([+-]?\d+)\)?$/i, 'e$1');
    if (!plain.includes('.')) plain = plain.replace(',', '.');
    const fraction = plain.match(/^([^/]+)\/([^/]+)$/);
    if (fraction) return Number(fraction[1]) / Number(fraction[2]);
    return plain === '' ? NaN : Number(plain);
  };

  const copyOf = (node) => {
    const copy = node.cloneNode(true);
    copy.querySelectorAll('[id]').forEach((inner) => inner.removeAttribute('id'));
    return [...copy.childNodes];
  };

  const say = (form, verdict, right, reason = []) => {
    form.classList.toggle('is-right', right === true);
    form.classList.toggle('is-wrong', right === false);
    const strong = element('strong', { className: 'm-verdict', textContent: verdict });
    form.querySelector('.m-feedback').replaceChildren(strong, ' ', ...reason);
  };

  const judge = (form) => {
    const { kind, answer, within } = form.dataset;
    if (kind === 'choice') {
      const chosen = form.querySelector('input:checked');
      if (!chosen) {
        say(form, 'Choose an option first.');
        return null;
      }
      const entry = form.querySelector(`.m-answer [data-option="${chosen.value}"]`);
      const right = entry.hasAttribute('data-right');
      say(form, right ? 'Right.' : 'Not this one.', right, copyOf(entry.querySelector('span')));
      return { value: chosen.value, right };
    }
    const value = form.querySelector('input').value;
    const number = readNumber(value);
    if (!Number.isFinite(number)) {
      say(form, 'Enter a number, such as 0.25 or 1e-3.');
      return null;
    }
    const right = Math.abs(number - Number(answer)) <= Number(within);
    if (kind === 'predict') {
      const verdict = right ? 'As you predicted.' : 'Noted.';
      const reason = right ? copyOf(form.querySelector('.m-why')) : ['Read on to the cell that computes it, then open the answer.'];
      say(form, verdict, right ? true : undefined, reason);
    } else if (right) {
      say(form, 'Right.', true, copyOf(form.querySelector('.m-why')));
    } else {
      say(form, 'Not yet.', false, ['Try again, or open the answer.']);
    }
    return { value, right };
  };

  const forms = [...document.querySelectorAll('.m-question')];
  const remembered = load().answers;
  for (const form of forms) {
    const before = remembered[form.dataset.key];
    if (before) {
      if (form.dataset.kind === 'choice') {
        const input = form.querySelector(`input[value="${CSS.escape(before.value)}"]`);
        if (input) input.checked = true;
      } else {
        form.querySelector('input').value = before.value;
      }
      judge(form);
    }
    form.querySelector('.m-actions').hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const result = judge(form);
      if (result) save((state) => { state.answers[form.dataset.key] = result; });
    });
  }

  // Progress: shown in the table of contents, exported and forgotten on the page about notebooks.

  const slugOf = (href) => (href.match(/(\d\d-[a-z0-9-]+)\.html/) || [])[1];

  function showProgress() {
    const { answers, totals, read } = load();
    document.querySelectorAll('#mdbook-sidebar li.chapter-item a[href]').forEach((link) => {
      const slug = slugOf(link.getAttribute('href'));
      if (!slug || link.getAttribute('href').includes('#')) return;
      link.querySelector('.m-progress')?.remove();
      const right = Object.entries(answers).filter(([key, value]) => key.startsWith(`${slug}/`) && value.right).length;
      const words = [];
      if (totals[slug] && right) words.push(`${right} of ${totals[slug]} right`);
      if (read[slug]) words.push('read');
      if (words.length === 0) return;
      const mark = element('span', { className: 'm-progress' },
        element('span', { ariaHidden: 'true', textContent: [totals[slug] && right ? `${right}/${totals[slug]}` : '', read[slug] ? '\u2713' : ''].join(' ').trim() }),
        element('span', { className: 'm-hidden', textContent: ` (${words.join(', ')})` }));
      link.append(mark);
    });
  }

  const here = slugOf(location.pathname);
  const last = document.querySelector('main > :last-child');
  if (here && last) {
    if (forms.length > 0 && load().totals[here] !== forms.length) save((state) => { state.totals[here] = forms.length; });
    const watcher = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) {
        watcher.disconnect();
        if (!load().read[here]) save((state) => { state.read[here] = true; });
      }
    });
    watcher.observe(last);
  }
  showProgress();

  const panel = document.getElementById('m-progress');
  if (panel) {
    const status = element('p', { role: 'status' });
    const tell = (text) => { status.textContent = text; };
    const count = () => Object.keys(load().answers).length;
    const summary = element('p');
    const refresh = () => {
      const { read } = load();
      const say = (n, noun) => `${n} ${noun}${n === 1 ? '' : 's'}`;
      summary.textContent = `This browser remembers ${say(count(), 'answer')} and ${say(Object.keys(read).length, 'chapter')} read.`;
    };
    const exportIt = element('button', { className: 'm-button', type: 'button', textContent: 'Export' });
    exportIt.addEventListener('click', () => {
      const blob = new Blob([JSON.stringify(load(), null, 1)], { type: 'application/json' });
      const link = element('a', { href: URL.createObjectURL(blob), download: 'moments-progress.json' });
      link.click();
      URL.revokeObjectURL(link.href);
      tell('Saved as moments-progress.json.');
    });
    const forget = element('button', { className: 'm-button', type: 'button', textContent: 'Forget everything' });
    forget.addEventListener('click', () => {
      if (!confirm('Forget all answers and chapters read in this browser?')) return;
      localStorage.removeItem(STORE);
      refresh();
      showProgress();
      tell('Forgotten.');
    });
    refresh();
    panel.replaceChildren(summary, element('p', {}, exportIt, ' ', forget), status);
  }

  // The page that opens notebooks says which one was asked for.

  const asked = document.getElementById('m-notebook');
  const name = new URLSearchParams(location.search).get('nb');
  if (asked && /^\d\d-[a-z0-9-]+$/.test(name || '')) {
    asked.replaceChildren('You asked for ', element('code', { textContent: `${name}.ipynb` }),
      ', and no JupyterLab answered here. This page says how to start it; then press the button in the chapter again.');
    asked.hidden = false;
  }

  // mdBook's button for the contents is a label, which a keyboard cannot reach and which has no state: a button takes its place.

  const label = document.getElementById('mdbook-sidebar-toggle');
  const toggle = document.getElementById('mdbook-sidebar-toggle-anchor');
  if (label && toggle) {
    const button = element('button', { type: 'button', className: 'icon-button', title: label.title, ariaLabel: label.title }, ...copyOf(label));
    const tell = () => { button.ariaExpanded = String(toggle.checked); };
    button.setAttribute('aria-controls', 'mdbook-sidebar');
    button.addEventListener('click', () => label.click());
    toggle.addEventListener('change', tell);
    tell();
    label.before(button);
    label.classList.add('hidden');
  }
  // Its bar is not yet a landmark.
  document.getElementById('mdbook-menu-bar')?.setAttribute('role', 'banner');

  // Arrow keys turn the page, except where they have something else to do.

  document.querySelector('main')?.addEventListener('keydown', (event) => {
    if (/^Arrow(?:Left|Right)$/.test(event.key) && event.target.closest('.m-question, .m-output, .m-math, [tabindex="0"], summary, pre')) {
      event.stopPropagation();
    }
  });

  // What scrolls sideways can be reached with the keyboard.

  const reach = () => {
    document.querySelectorAll('.m-math, main pre > code, .table-wrapper').forEach((node) => {
      const scrolls = node.scrollWidth > node.clientWidth + 1;
      if (scrolls && !node.hasAttribute('tabindex')) {
        node.tabIndex = 0;
        node.setAttribute('role', 'group');
        node.setAttribute('aria-label', 'Scrolls sideways');
        node.dataset.reached = '';
      } else if (!scrolls && 'reached' in node.dataset) {
        node.removeAttribute('tabindex');
        node.removeAttribute('role');
        node.removeAttribute('aria-label');
        delete node.dataset.reached;
      }
    });
  };
  reach();
  document.fonts?.ready.then(reach);
  addEventListener('resize', reach);
  document.addEventListener('toggle', reach, true);
})();
