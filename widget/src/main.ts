/*! Perezvon web chat. MIT licence. */
import { Memory } from './memory'
import { Panel } from './panel'
import { Server } from './server'
import { wordsOf } from './words'

const UTM = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content']

interface Api {
  open(): void
  close(): void
  identify(identity: string | null): void
}

declare global {
  interface Window {
    Perezvon?: Api
  }
}

// Where the visit began; the first page with a campaign counts until the session ends.
function rememberOrigin(memory: Memory): void {
  const query = new URLSearchParams(location.search)
  const utm = Object.fromEntries(UTM.filter((name) => query.has(name)).map((name) => [name, query.get(name)]))
  const known = memory.get<{ utm?: object; referrer?: string }>('origin', {})
  const outside = document.referrer && !document.referrer.startsWith(location.origin) ? document.referrer : ''
  memory.set('origin', {
    page: location.href.slice(0, 2000),
    referrer: (outside || known.referrer || '').slice(0, 2000),
    utm: Object.keys(utm).length ? utm : (known.utm ?? {}),
  })
}

// Whose identity it is, so that each person of one browser has a conversation of his own.
function subject(identity: string | null): string {
  try {
    const part = (identity ?? '').split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/')
    return `u:${(JSON.parse(atob(part)) as { sub: string }).sub}:`
  } catch {
    return ''
  }
}

function start(script: HTMLScriptElement): void {
  const data = script.dataset
  const root = `${new URL(script.src).origin}/chat/${data.connector ?? 'site'}`
  const language = data.lang || document.documentElement.lang || navigator.language || 'en'
  let panel: Panel | null = null
  const show = (identity: string | null): void => {
    panel?.remove()
    const memory = new Memory(`perezvon:${root}:${subject(identity)}`)
    rememberOrigin(memory)
    const options = {
      language,
      title: data.title ?? '',
      greeting: data.greeting ?? '',
      color: data.color ?? '',
    }
    panel = new Panel(wordsOf(language), options, new Server(root, memory, identity), memory)
  }
  const begin = (): void => {
    show(data.identity || null)
    window.Perezvon = {
      open: () => panel?.open(),
      close: () => panel?.close(),
      identify: (identity) => show(identity),
    }
    document.dispatchEvent(new CustomEvent('perezvon:ready'))
  }
  if (document.body) begin()
  else addEventListener('DOMContentLoaded', begin)
}

const script = document.currentScript
if (script instanceof HTMLScriptElement && !window.Perezvon) start(script)
