// Styles live in the shadow tree alone: none come in, none go out. Sizes in px: a page's root font may be anything.
export const CSS = `
.root { all: initial; --accent: #1d4ed8; --ink: #17202c; --soft: #55606f; --line: #d9dee6; --theirs: #f0f2f6;
  position: fixed; right: 20px; bottom: 20px; z-index: 2147483000; color-scheme: light;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: var(--ink); }
.root * { box-sizing: border-box; font: inherit; color: inherit; margin: 0; }
[hidden] { display: none !important; }
button { border: 0; background: none; padding: 0; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
svg { display: block; width: 22px; height: 22px; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linecap: round; stroke-linejoin: round; }
.open { position: relative; width: 56px; height: 56px; border-radius: 50%; display: grid; place-items: center;
  background: var(--accent); color: #fff; box-shadow: 0 6px 20px rgb(16 24 40 / .24); transition: transform .15s; }
.open svg { width: 26px; height: 26px; }
.open:hover { transform: translateY(-2px); }
.badge { position: absolute; top: -3px; right: -3px; min-width: 22px; padding: 1px 6px; border-radius: 11px;
  background: #c81e1e; color: #fff; font-size: 13px; line-height: 20px; font-weight: 600; text-align: center;
  border: 2px solid #fff; }
.panel { position: fixed; right: 20px; bottom: 20px; width: 372px; height: min(600px, calc(100dvh - 40px));
  display: flex; flex-direction: column; overflow: hidden; border-radius: 16px; background: #fff;
  box-shadow: 0 12px 48px rgb(16 24 40 / .24); animation: rise .16s ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(12px); } }
.head { display: flex; align-items: center; gap: 4px; padding: 14px 10px 14px 18px; background: var(--accent);
  color: #fff; }
.head > div { flex: 1; min-width: 0; }
h2 { font-size: 17px; font-weight: 650; line-height: 1.3; overflow-wrap: anywhere; }
.state { display: flex; align-items: center; gap: 7px; font-size: 13px; }
.state i { width: 8px; height: 8px; border-radius: 50%; background: #fff; opacity: .55; }
.state.on i { background: #6ee7a0; opacity: 1; }
.head button, .bar button { width: 40px; height: 40px; border-radius: 10px; display: grid; place-items: center; }
.head button:hover { background: rgb(255 255 255 / .16); }
.head :focus-visible { outline-color: #fff; outline-offset: -3px; }
.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px 14px 8px; display: flex;
  flex-direction: column; gap: 4px; }
.log:focus-visible { outline-offset: -4px; border-radius: 8px; }
.day { align-self: center; font-size: 12.5px; color: var(--soft); margin: 10px 0 6px; }
.older { align-self: center; color: var(--accent); padding: 6px 10px; border-radius: 8px; font-size: 14px; }
.msg { max-width: 84%; align-self: flex-start; display: flex; flex-direction: column; }
.msg.own { align-self: flex-end; align-items: flex-end; }
.msg.first { margin-top: 8px; }
.who { font-size: 12.5px; color: var(--soft); margin: 0 0 2px 12px; }
.body { padding: 8px 13px; border-radius: 16px 16px 16px 5px; background: var(--theirs); white-space: pre-wrap;
  overflow-wrap: anywhere; }
.own .body { background: var(--accent); color: #fff; border-radius: 16px 16px 5px 16px; }
.gone .body { background: none; border: 1px dashed var(--line); color: var(--soft); font-style: italic; }
.body a { text-decoration: underline; }
.body img { display: block; max-width: 100%; max-height: 220px; border-radius: 10px; margin: 4px 0; }
.file { display: flex; align-items: center; gap: 8px; text-align: left; text-decoration: underline; padding: 3px 0; }
.file svg { width: 18px; height: 18px; flex: none; }
.meta { font-size: 12px; color: var(--soft); margin: 2px 6px 0; }
.meta.bad { color: #b42318; }
.typing { min-height: 22px; padding: 0 18px; font-size: 13px; color: var(--soft); }
.down { padding: 7px 16px; font-size: 13px; background: #fff4e0; color: #6b4300; }
form { border-top: 1px solid var(--line); padding: 10px; }
.fields { display: grid; gap: 8px; padding: 2px 4px 10px; }
.fields label { display: grid; gap: 3px; font-size: 13px; color: var(--soft); }
.fields input { font-size: 16px; color: var(--ink); padding: 8px 11px; border: 1px solid #8a94a3;
  border-radius: 10px; background: #fff; width: 100%; }
.picked { display: flex; flex-wrap: wrap; gap: 6px; padding: 0 4px 8px; }
.picked span { display: inline-flex; align-items: center; gap: 4px; background: var(--theirs); border-radius: 8px;
  padding: 2px 2px 2px 9px; font-size: 13px; max-width: 100%; overflow-wrap: anywhere; }
.picked button { width: 26px; height: 26px; border-radius: 6px; }
.bar { display: flex; align-items: flex-end; gap: 6px; }
.bar textarea:focus-visible { outline-width: 2px; outline-offset: -1px; }
.bar textarea { flex: 1; min-width: 0; resize: none; border: 1px solid #8a94a3; border-radius: 12px; padding: 9px 12px;
  background: #fff; font-size: 16px; line-height: 1.35; height: 41px; max-height: 132px; }
.bar textarea::placeholder { color: var(--soft); opacity: 1; }
.bar button { color: var(--soft); }
.bar .send { background: var(--accent); color: #fff; border-radius: 12px; }
.bar button:hover { filter: brightness(.94); }
.trouble { color: #b42318; font-size: 13px; padding: 0 6px 6px; }
@media (max-width: 480px) {
  .root { right: 14px; bottom: 14px; }
  .panel { inset: 0; width: auto; height: 100dvh; border-radius: 0; }
}
@media (prefers-reduced-motion: reduce) { .panel, .open { animation: none; transition: none; } }
@media (forced-colors: active) { .body, .open, .send { border: 1px solid; } }
`
