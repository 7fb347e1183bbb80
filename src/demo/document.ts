/**
 * The markup of the page. The scripts rely on the ids, and browser tests on ids and data-attributes; the rest may change.
 */
import { html, raw } from "hono/html";

type Markup = ReturnType<typeof html>;

/** 火の粉 drawn as SVG strokes, which need no Japanese font. The side strokes of 火 and 粉 are styled as sparks. */
const strokes = (
  className: string,
) => html`<svg class="${className}" viewBox="7 2 316 100" aria-hidden="true">
  <g fill="none" stroke="currentColor" stroke-width="7.5" stroke-linecap="round" stroke-linejoin="round">
    <path d="M51 8v30c0 24-13 42-40 56M51 40c5 24 18 42 41 54" />
    <path class="spark" d="M20 33c1 10 4 17 9 23M85 29c-3 10-9 19-17 26" />
    <path d="M161 27c-2 24-9 42-20 52-11 9-25 3-26-14-1-22 17-40 44-41 27-1 43 15 43 34 0 19-14 31-35 34" />
    <path d="M219 43h45M242 9v86M240 46c-4 16-11 28-22 39M245 46c4 10 10 18 17 23" />
    <path class="spark" d="M222 16c4 5 6 10 8 16M263 14c-3 6-6 11-10 16" />
    <path d="M290 13c-1 14-6 24-15 33M300 11c3 14 9 24 19 32M281 54h31c0 15-2 27-6 36-2 4-7 5-14 2M293 56c-1 16-7 28-18 37" />
  </g>
</svg>`;

const favicon = `data:image/svg+xml,${encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#e8480c" d="M17 1c2 7 10 10 10 19a11 11 0 0 1-22 0c0-5 3-8 4-12 2 1 3 3 3 5 3-3 5-7 5-12z"/><path fill="#ffc14d" d="M17 14c1 4 5 5 5 9a6 6 0 0 1-12 0c0-3 2-4 3-6 1 0 2 1 2 2 1-1 2-3 2-5z"/></svg>`,
)}`;

/** The whole page. */
export function document(runtime: { name: string; version: string }, socketPath: string): Markup {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
  <meta name="color-scheme" content="light dark">
  <title>Hinoko chat</title>
  <meta name="description" content="A chat over one Hono app and one Socket.IO server.">
  <link rel="icon" href="${raw(favicon)}">
  <link rel="stylesheet" href="/hinoko/chat.css">
  ${["view", "log", "dom"].map((name) => html`<link rel="modulepreload" href="/hinoko/${name}.js">`)}
  <script type="module" src="/hinoko/chat.js"></script>
</head>
<body data-runtime="${runtime.name}" data-runtime-version="${runtime.version}" data-socket-path="${socketPath}">
  <div class="sparks" aria-hidden="true">${Array.from({ length: 14 }, () => html`<i></i>`)}</div>

  <header class="bar">
    <h1>${strokes("wordmark")} Hinoko</h1>
    <dl class="gauges">
      <div>
        <dt>Connection</dt>
        <dd><span id="status" role="status" data-state="connecting">Connecting</span></dd>
      </div>
      <div>
        <dt>Transport</dt>
        <dd id="transport" data-transport="">none yet</dd>
      </div>
      <div>
        <dt>Runtime</dt>
        <dd id="runtime">${runtime.name} ${runtime.version}</dd>
      </div>
    </dl>
    <button id="reconnect" type="button" hidden>Reconnect</button>
  </header>

  <main>
    <section id="lobby" aria-labelledby="lobby-title">
      <div class="hero">
        ${strokes("emblem")}
        <p class="tagline">Sparks from a flame.</p>
        <p class="lede">One Hono app and one Socket.IO server, burning as one service.</p>
      </div>
      <form id="join" class="card" novalidate>
        <h2 id="lobby-title">Join a room</h2>
        <label for="name">Your name</label>
        <input id="name" name="name" maxlength="32" autocomplete="nickname" autocapitalize="words" spellcheck="false"
          required aria-describedby="join-error">
        <label for="room">Room</label>
        <input id="room" name="room" maxlength="32" value="lobby" autocomplete="off" autocapitalize="none"
          spellcheck="false" required aria-describedby="join-error room-hint">
        <p id="room-hint" class="hint">Letters, digits, - and _. A room exists while somebody is in it.</p>
        <p id="join-error" class="error" role="alert"></p>
        <button id="join-button" class="primary" type="submit">Join</button>
      </form>
      <noscript><p class="card">The chat needs JavaScript.</p></noscript>
    </section>

    <section id="chat" aria-labelledby="room-title" hidden>
      <aside class="rail">
        <div class="place">
          <h2 id="room-title"></h2>
          <p>as <bdi id="self"></bdi></p>
        </div>
        <h3 id="members-title"><span id="member-count">0</span> online</h3>
        <ul id="members" aria-labelledby="members-title"></ul>
        <form id="switch" novalidate>
          <label for="other-room">Go to another room</label>
          <div class="field">
            <input id="other-room" name="room" maxlength="32" autocomplete="off" autocapitalize="none" spellcheck="false"
              required aria-describedby="switch-error">
            <button type="submit">Go</button>
          </div>
          <p id="switch-error" class="error" role="alert"></p>
        </form>
        <button id="leave" type="button">Leave</button>
      </aside>
      <div class="talk">
        <div id="log" role="log" aria-label="Messages" tabindex="0"><ol id="messages"></ol></div>
        <p id="typing"></p>
        <form id="compose" novalidate>
          <label for="text" class="unseen">Message</label>
          <textarea id="text" name="text" rows="1" maxlength="2000" placeholder="Write a message" enterkeyhint="send"></textarea>
          <button id="send" class="primary" type="submit">Send</button>
        </form>
      </div>
    </section>
  </main>
</body>
</html>`;
}
