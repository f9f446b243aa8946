// Compares the bits that the optimizers give in WebAssembly with crates/moments/tests/bits.txt.
//
//     rustup target add wasm32-unknown-unknown
//     cargo build -p moments --example fingerprints --release --target wasm32-unknown-unknown
//     node tools/wasm_bits.mjs target/wasm32-unknown-unknown/release/examples/fingerprints.wasm
import { readFileSync } from 'node:fs';

const [path] = process.argv.slice(2);
if (!path) {
    console.error('usage: node tools/wasm_bits.mjs FINGERPRINTS.wasm');
    process.exit(2);
}
const { instance } = await WebAssembly.instantiate(readFileSync(path), {});
const { memory, fingerprints, fingerprints_len } = instance.exports;
// The memory may grow while the text is made, so the place is asked for first.
const [at, length] = [fingerprints(), fingerprints_len()];
const found = new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));
const recorded = readFileSync(new URL('../crates/moments/tests/bits.txt', import.meta.url), 'utf8');

const lines = (text) => text.split('\n').filter((line) => line && !line.startsWith('#'));
const [theirs, ours] = [new Set(lines(found)), lines(recorded)];
const missing = ours.filter((line) => !theirs.has(line));
for (const line of missing) console.error(`not so in WebAssembly: ${line}`);
if (missing.length > 0 || theirs.size !== ours.length || ours.length === 0) {
    console.error(`${theirs.size} fingerprints in WebAssembly, ${ours.length} recorded, ${missing.length} differ`);
    process.exit(1);
}
console.log(`WebAssembly: the same bits in all ${ours.length} fingerprints`);
