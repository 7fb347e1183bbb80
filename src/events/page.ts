/**
 * The page at /hinoko/events: its markup and its style sheet. browser/events.js fills it.
 */
import { html } from "hono/html";

/** The whole page. */
export const createDocument = (socketPath: string): ReturnType<typeof html> => html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Events of this service</title>
  <link rel="stylesheet" href="/hinoko/events.css">
  <script type="module" src="/hinoko/events.js"></script>
</head>
<body data-socket-path="${socketPath}">
  <header>
    <h1>Events of this service</h1>
    <p>From its contract; <a href="/asyncapi.json">as AsyncAPI</a>. Ctrl+Enter in a field emits.</p>
  </header>
  <main>
    <div id="contract"></div>
    <section aria-labelledby="log-title">
      <h2 id="log-title">What happens</h2>
      <button id="clear" type="button">Clear</button>
      <ol id="log" role="log" aria-labelledby="log-title" tabindex="0"></ol>
    </section>
  </main>
  <noscript><p>The page needs JavaScript.</p></noscript>
</body>
</html>`;

export const style = /* css */ `
:root { color-scheme: light dark; --ember: light-dark(#b03a0c, #ff9350); --line: light-dark(#e2d2bf, #3a271f);
  --ground: light-dark(#f6efe4, #120b09); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif;
  background: var(--ground); color: light-dark(#2b1a12, #f7e9dd); }
h1, h2, p { margin: 0 0 0.5rem; }
h2, a { color: var(--ember); }
main { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); }
main > section { position: sticky; top: 0; bottom: 0; align-self: start; padding-block: 0.5rem; background: var(--ground); }
form, .listen { display: grid; gap: 0.5rem; padding: 0.75rem 0; border-top: 1px solid var(--line); }
.listen { display: block; }
textarea, pre, ol { font: 0.875rem/1.4 ui-monospace, monospace; }
textarea { display: block; width: 100%; margin-top: 0.25rem; }
button { justify-self: start; font: inherit; padding: 0.25rem 0.75rem; }
:focus-visible { outline: 2px solid var(--ember); outline-offset: 2px; }
pre { overflow-x: auto; margin: 0.25rem 0; }
ol { margin: 0.5rem 0 0; padding: 0; list-style: none; max-height: 75vh; overflow: auto; }
@media (max-width: 47rem) { ol { max-height: 25vh; } }
li { white-space: pre-wrap; overflow-wrap: anywhere; padding: 0.25rem 0; border-top: 1px solid var(--line); }
li.error { color: light-dark(#a3123a, #ff8f9e); }
[hidden] { display: none; }
`;
