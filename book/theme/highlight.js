// Colours Rust code, in the place of mdBook's highlighter for two hundred languages (137 KB): the course has one.
'use strict';

var hljs = (() => {
  const KEYWORDS = new Set(('as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod ' +
    'move mut pub ref return self Self static struct super trait type unsafe use where while').split(' '));
  const LITERALS = new Set(['true', 'false']);
  const TYPES = new Set('bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize'.split(' '));

  const TOKEN = new RegExp([
    String.raw`(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)`,
    String.raw`(?<string>b?r(?<hash>#*)"[\s\S]*?"\k<hash>|b?"(?:\\[\s\S]|[^"\\])*"|b?'(?:\\(?:u\{[^}]*\}|.)|[^'\\\n])')`,
    String.raw`(?<symbol>'[a-z_]\w*)`,
    String.raw`(?<meta>#!?\[[^\]]*\])`,
    String.raw`(?<number>\b\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d[\d_]*)?(?:_?(?:f|i|u)(?:8|16|32|64|128|size))?\b)`,
    String.raw`(?<macro>\b[a-z_]\w*!(?=\s*[(\[{]))`,
    String.raw`(?<word>\b[A-Za-z_]\w*\b)`,
  ].join('|'), 'g');

  const kind = (match, before) => {
    const { comment, string, symbol, meta, number, macro, word } = match.groups;
    if (comment) return 'comment';
    if (string) return 'string';
    if (symbol) return 'symbol';
    if (meta) return 'meta';
    if (number) return 'number';
    if (macro) return 'built_in';
    if (KEYWORDS.has(word)) return 'keyword';
    if (LITERALS.has(word)) return 'literal';
    if (TYPES.has(word) || /^[A-Z]/.test(word)) return 'type';
    return /\bfn\s+$/.test(before) ? 'title' : '';
  };

  const highlightBlock = (block) => {
    if (!block.classList.contains('language-rust') || block.childElementCount > 0) return;
    const text = block.textContent;
    const parts = [];
    let at = 0;
    for (const match of text.matchAll(TOKEN)) {
      const name = kind(match, text.slice(Math.max(0, match.index - 12), match.index));
      if (!name) continue;
      const span = document.createElement('span');
      span.className = `hljs-${name}`;
      span.textContent = match[0];
      parts.push(text.slice(at, match.index), span);
      at = match.index + match[0].length;
    }
    block.replaceChildren(...parts, text.slice(at));
  };

  return { configure: () => {}, highlightBlock };
})();
