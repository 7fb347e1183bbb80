/** The looks of a room: who is in it, the messages, the field to write in. */

export const chatStyle = /* css */ `
/* The room. */

#chat {
  height: 100%;
  display: grid;
  grid-template-columns: 15rem minmax(0, 1fr);
  gap: 0 clamp(1rem, 3vw, 2.5rem);
  max-width: 74rem;
  margin-inline: auto;
  padding: 0.5rem clamp(0.75rem, 3vw, 2rem) clamp(0.75rem, 2.5vh, 1.75rem);
}

.rail { min-height: 0; display: flex; flex-direction: column; gap: 1rem; padding-top: 0.75rem; }
.place h2 { font-size: 1.6rem; letter-spacing: -0.015em; overflow-wrap: anywhere; }
.place p { color: var(--faint); overflow-wrap: anywhere; }
#self { color: var(--ember); font-weight: 600; }
#members-title { font-size: 0.9rem; color: var(--faint); }
#members { flex: 1 1 auto; min-height: 0; overflow-y: auto; display: grid; align-content: start; gap: 0.5rem; }
.member { display: flex; align-items: center; gap: 0.6rem; min-width: 0; }
.member .who { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.you { color: var(--faint); font-size: 0.8rem; }

#switch { display: grid; gap: 0.4rem; }
.field { display: flex; gap: 0.5rem; }
.rail button { padding-inline: 0.9rem; }

.badge {
  flex: none;
  display: grid;
  place-items: center;
  width: 2rem;
  height: 2rem;
  border-radius: 50% 50% 50% 0.35rem;
  font-weight: 700;
  font-size: 0.9rem;
  line-height: 1;
  text-transform: uppercase;
  color: #fff;
  background: #a33208;
}
.badge[data-shade="1"] { background: #8c1f2c; }
.badge[data-shade="2"] { background: #7b4a12; }
.badge[data-shade="3"] { background: #5c3a33; }
.badge[data-shade="4"] { background: #f2b33d; color: #2b1503; }
.badge[data-shade="5"] { background: #f78a4a; color: #2b1003; }

/* The conversation. */

.talk {
  min-height: 0;
  display: grid;
  grid-template-rows: minmax(0, 1fr) 1.6rem auto;
  padding: 0.4rem 0.75rem 0.75rem;
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 1rem;
  box-shadow: var(--shadow);
}

#log { overflow-y: auto; overscroll-behavior: contain; padding: 0.75rem 0.5rem; border-radius: 0.6rem; }
#log:focus-visible { outline-offset: -2px; }

.note { margin-block: 0.9rem; text-align: center; font-size: 0.85rem; color: var(--faint); overflow-wrap: anywhere; }

.note + .note { margin-top: -0.6rem; }

.message {
  display: grid;
  grid-template-columns: 2rem minmax(0, max-content);
  grid-template-areas: "badge byline" "badge text" ". receipt";
  gap: 0 0.65rem;
  max-width: min(100%, 42rem);
  margin-top: 0.9rem;
}
.message .badge { grid-area: badge; }
.byline { grid-area: byline; display: flex; gap: 0.5rem; align-items: baseline; margin-bottom: 0.2rem; font-size: 0.85rem; line-height: 1.2; }
.byline .who { font-weight: 600; overflow-wrap: anywhere; }
.byline time { color: var(--faint); font-size: 0.78rem; }
.text {
  grid-area: text;
  justify-self: start;
  padding: 0.45rem 0.8rem;
  background: var(--raised);
  border: 1px solid var(--line);
  border-radius: 0.25rem 0.9rem 0.9rem;
  white-space: pre-wrap;
  overflow-wrap: anywhere;
}
.message[data-follows="true"] { margin-top: 0.3rem; }
.message[data-follows="true"] .badge { visibility: hidden; height: 0; }
.message[data-follows="true"] .byline { display: none; }
.message[data-follows="true"] .text { border-top-left-radius: 0.9rem; }

.message[data-own="true"] {
  grid-template-columns: auto minmax(0, max-content);
  grid-template-areas: ". byline" "receipt text";
  justify-content: end;
  margin-left: auto;
}
.message[data-own="true"] .badge { display: none; }
.message[data-own="true"] :is(.byline, .text) { justify-self: end; }
.message[data-delivery="failed"] { grid-template-areas: ". byline" ". text" "receipt receipt"; }
.message[data-own="true"] .byline .who { display: none; }
.message[data-own="true"] .text { background: var(--own); border-color: transparent; border-radius: 0.9rem 0.9rem 0.25rem; }

/* One's own message looks like a coal until the server has acknowledged it, then like a spark. */
.receipt { grid-area: receipt; display: flex; align-items: center; align-self: end; justify-content: end; gap: 0.5rem; margin-block: 0.2rem; font-size: 0.78rem; line-height: 1.3; color: var(--faint); }
.state::before {
  content: "";
  display: inline-block;
  width: 0.5rem;
  height: 0.5rem;
  margin-right: 0.35rem;
  border: 1.5px solid currentColor;
  border-radius: 50%;
}
[data-delivery="pending"] .state::before { animation: breathe 0.7s ease-in-out infinite alternate; }
[data-delivery="delivered"] .state::before {
  width: 0.7rem;
  height: 0.38rem;
  border-radius: 0;
  border-width: 0 0 2px 2px;
  border-color: var(--spark);
  rotate: -45deg;
  translate: 0 -0.15rem;
  animation: catch 0.5s ease-out;
}
[data-delivery="failed"] .state { color: var(--bad); overflow-wrap: anywhere; }
[data-delivery="failed"] .state::before { background: var(--bad); border-radius: 0; rotate: 45deg; }
.again { flex: none; min-height: 1.75rem; padding: 0 0.6rem; font-size: 0.78rem; }
:not([data-delivery="failed"]) > .receipt > .again { display: none; }
@keyframes catch { from { scale: 2.2; filter: drop-shadow(0 0 6px var(--spark)); } }

#typing { padding-inline: 0.6rem; color: var(--faint); font-size: 0.85rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
#typing:not(:empty)::before {
  content: "";
  display: inline-block;
  width: 0.45rem;
  height: 0.45rem;
  margin: 0 1.5rem 0 0.2rem;
  border-radius: 50%;
  background: var(--spark);
  box-shadow: 0.6rem 0 var(--spark), 1.2rem 0 var(--spark);
  animation: breathe 0.6s ease-in-out infinite alternate;
}

#compose { display: flex; gap: 0.6rem; align-items: end; }
#text { min-height: 2.75rem; max-height: 30vh; resize: none; line-height: 1.45; }

@media (max-width: 48rem) {
  #chat { grid-template-columns: minmax(0, 1fr); grid-template-rows: auto minmax(0, 1fr); padding: 0; }
  .rail { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.4rem 0.75rem; padding: 0.1rem 1rem 0.6rem; align-items: center; }
  .place { display: flex; flex-wrap: wrap; gap: 0 0.6rem; align-items: baseline; }
  .place h2 { font-size: 1.2rem; }
  #leave { grid-area: 1 / 2; min-height: 2.25rem; padding-block: 0.2rem; }
  #members-title { display: none; }
  #members { grid-column: 1 / -1; display: flex; gap: 0.9rem; overflow: auto hidden; }
  .member { flex: none; gap: 0.35rem; font-size: 0.85rem; }
  .member .who { max-width: 9rem; }
  .member .badge { width: 1.5rem; height: 1.5rem; font-size: 0.7rem; }
  #switch { display: none; } /* Leave leads to the same fields. */
  .state { overflow: hidden; }
  :is([data-delivery="pending"], [data-delivery="delivered"]) .state { width: 0.8rem; padding-block: 0.3rem; white-space: nowrap; }
  .talk { border-width: 1px 0 0; border-radius: 1rem 1rem 0 0; }
}
`;
