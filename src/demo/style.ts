/**
 * The looks of the page: a night with embers, and by day the same fire on washi paper. This file has the palette, the
 * frame and the lobby; style-chat.ts the room. A string in a module, so that a build has nothing to copy.
 */
import { chatStyle } from "./style-chat.ts";

export const style = /* css */ `
:root {
  color-scheme: light dark;
  --ground: #f6efe4;
  --surface: #fffaf2;
  --raised: #fff;
  --line: #e2d2bf;
  --edge: #927562;
  --ink: #2b1a12;
  --faint: #6d5445;
  --ember: #b03a0c;
  --spark: #e0590f;
  --glow: rgb(240 120 40 / 0.28);
  --own: #fde3cd;
  --fill: #b43c0b;
  --fill-hover: #96300a;
  --on-fill: #fff;
  --bad: #a3123a;
  --shadow: 0 1px 2px rgb(70 30 10 / 0.08), 0 12px 32px rgb(70 30 10 / 0.1);
  --sans: "Avenir Next", Avenir, "Segoe UI", "Noto Sans", "Hiragino Sans", "Noto Sans CJK JP", system-ui, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace;
}

@media (prefers-color-scheme: dark) {
  :root {
    --ground: #120b09;
    --surface: #1d1310;
    --raised: #281a15;
    --line: #3a271f;
    --edge: #86685a;
    --ink: #f7e9dd;
    --faint: #bda292;
    --ember: #ff9350;
    --spark: #ffb45c;
    --glow: rgb(255 96 20 / 0.34);
    --own: #43210f;
    --fill: #ff8a3d;
    --fill-hover: #ffa869;
    --on-fill: #241006;
    --bad: #ff8f9e;
    --shadow: 0 1px 2px rgb(0 0 0 / 0.4), 0 18px 48px rgb(0 0 0 / 0.45);
  }
}

*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }

body {
  margin: 0;
  height: 100dvh;
  display: grid;
  grid-template-rows: auto minmax(0, 1fr);
  background: var(--ground);
  color: var(--ink);
  font: 400 1rem/1.5 var(--sans);
  overflow: hidden;
}

h1, h2, h3, p, ul, ol, dl, dd { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h2, h3 { font-weight: 600; line-height: 1.25; }
svg { display: block; }

button, input, textarea { font: inherit; color: inherit; }

input, textarea {
  width: 100%;
  min-width: 0;
  padding: 0.6rem 0.8rem;
  background: var(--raised);
  border: 1px solid var(--edge);
  border-radius: 0.5rem;
}
input[aria-invalid] { border-color: var(--bad); }
::placeholder { color: var(--faint); opacity: 1; }

button {
  min-height: 2.75rem;
  padding: 0.5rem 1.1rem;
  font-weight: 600;
  background: none;
  border: 1px solid var(--edge);
  border-radius: 0.5rem;
  cursor: pointer;
  transition: background-color 0.15s, border-color 0.15s;
}
button:hover { background: var(--glow); border-color: var(--ember); }
.primary { background: var(--fill); border-color: transparent; color: var(--on-fill); }
.primary:hover { background: var(--fill-hover); border-color: transparent; }

:focus-visible { outline: 3px solid var(--ember); outline-offset: 2px; }

.error { color: var(--bad); font-size: 0.9rem; overflow-wrap: anywhere; }
.error:empty { display: none; }
.hint { color: var(--faint); font-size: 0.85rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

/* The bar, with the gauges. */

.bar {
  position: relative;
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.5rem 1.5rem;
  padding: 0.7rem clamp(1rem, 3vw, 2rem);
}
.bar h1 { display: flex; gap: 0.7rem; align-items: center; font-size: 1.05rem; letter-spacing: 0.01em; }
.wordmark { height: 1.8rem; }
/* The lobby has the emblem. */
body:has(#lobby:not([hidden])) .wordmark { display: none; }
.spark { stroke: var(--spark); transition: stroke 0.6s; }
:root:not([data-state="connected"]) .spark { stroke: var(--edge); }

.gauges { display: flex; flex-wrap: wrap; gap: 0.2rem 1.5rem; margin-left: auto; font-size: 0.85rem; }
.gauges div { display: flex; gap: 0.45rem; align-items: baseline; }
.gauges dt { color: var(--faint); }
.gauges dd { font-family: var(--mono); font-size: 0.8rem; }
#status::before {
  content: "";
  display: inline-block;
  width: 0.55rem;
  height: 0.55rem;
  margin-right: 0.4rem;
  border-radius: 50%;
  background: var(--edge);
}
#status[data-state="connected"]::before { background: var(--spark); box-shadow: 0 0 0 3px var(--glow); }
#status[data-state="reconnecting"]::before, #status[data-state="connecting"]::before { animation: breathe 1.2s ease-in-out infinite alternate; }
#status[data-state="closed"] { color: var(--bad); }
#status[data-state="closed"]::before { background: var(--bad); border-radius: 0; }
#reconnect { min-height: 2rem; padding: 0.1rem 0.8rem; }

/* The fire is below the edge of the page: its glow, and the sparks that rise from it. */

.sparks { position: fixed; inset: 0; z-index: -1; overflow: hidden; }
.sparks::before {
  content: "";
  position: absolute;
  inset: 45% -20% -30%;
  background: radial-gradient(closest-side, var(--glow), transparent);
  transition: opacity 1s;
}
:root:not([data-state="connected"]) .sparks { opacity: 0.35; }
.sparks i {
  position: absolute;
  bottom: 8%;
  left: calc(var(--x) * 1%);
  width: calc(var(--size) * 1px);
  aspect-ratio: 1;
  border-radius: 50%;
  background: var(--spark);
  box-shadow: 0 0 calc(var(--size) * 2px) var(--spark);
  opacity: 0;
  animation: rise calc(var(--time) * 1s) cubic-bezier(0.3, 0.1, 0.6, 1) calc(var(--time) * var(--start) * -1s) infinite;
}
${sparks()}

@keyframes rise {
  0% { opacity: 0; translate: 0 0; }
  10% { opacity: 0.95; }
  50% { translate: calc(var(--drift) * 1px) -38vh; }
  75% { opacity: 0.5; }
  100% { opacity: 0; translate: calc(var(--drift) * -0.6px) -80vh; scale: 0.4; }
}
@keyframes breathe { to { opacity: 0.25; } }

/* The lobby. */

main { min-height: 0; }
#lobby {
  height: 100%;
  overflow-y: auto;
  display: grid;
  grid-template-columns: minmax(0, 1.5fr) minmax(18rem, 24rem);
  align-content: center;
  align-items: center;
  gap: clamp(1.5rem, 5vw, 5rem);
  padding: 1rem clamp(1rem, 6vw, 6rem) clamp(2rem, 12vh, 8rem);
}
.emblem { width: min(100%, 40rem); margin-bottom: clamp(1rem, 4vh, 2.5rem); }
.tagline { font-size: clamp(1.4rem, 3vw, 2.1rem); font-weight: 600; letter-spacing: -0.01em; line-height: 1.2; }
.lede { margin-top: 0.4rem; color: var(--faint); max-width: 36ch; }
.card {
  display: grid;
  gap: 0.4rem;
  padding: clamp(1.1rem, 3vw, 1.75rem);
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 0.9rem;
  box-shadow: var(--shadow);
}
.card h2 { font-size: 1.25rem; margin-bottom: 0.4rem; }
label { font-size: 0.9rem; font-weight: 600; }
.card input + label { margin-top: 0.6rem; }
.card button { margin-top: 0.6rem; }

@media (max-width: 52rem) {
  #lobby { grid-template-columns: minmax(0, 1fr); align-content: start; padding-top: clamp(1rem, 5vh, 4rem); }
  .emblem { width: min(70%, 20rem); }
}
@media (max-width: 40rem) {
  .bar { padding-block: 0.55rem; }
  .wordmark { height: 1.5rem; }
  .gauges { gap: 0 0.9rem; margin-left: 0; width: 100%; justify-content: space-between; }
  .gauges div { gap: 0; }
  .gauges dt { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .gauges dd { font-size: 0.72rem; }
}
${chatStyle}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; scroll-behavior: auto !important; }
  .sparks i { opacity: 0.7; translate: calc(var(--drift) * 1px) calc(var(--start) * -70vh); }
}
`;

/** Places fourteen sparks. Multiples of the golden ratio spread them evenly, but without a visible pattern. */
function sparks(): string {
  return Array.from({ length: 14 }, (_, index) => {
    const scatter = (step: number) => ((index + 1) * step) % 1;
    const x = 4 + 92 * scatter(0.618);
    const size = 2.5 + 3.5 * scatter(0.382);
    const time = 7 + 8 * scatter(0.732);
    const drift = 70 * scatter(0.45) - 35;
    return `.sparks i:nth-child(${index + 1}) { --x: ${x.toFixed(1)}; --size: ${size.toFixed(1)}; --time: ${time.toFixed(1)}; --start: ${scatter(0.569).toFixed(2)}; --drift: ${drift.toFixed(0)}; }`;
  }).join("\n");
}
