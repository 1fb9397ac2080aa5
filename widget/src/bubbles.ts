// One message as it is shown.
import { el, icon, linked } from './dom'
import type { ChatFile, Entry, Server } from './server'
import type { Waiting } from './talk'
import type { Words } from './words'

const LARGEST_PREVIEW = 5_000_000
const previews = new Map<string, string>()

export class Bubbles {
  constructor(
    private readonly words: Words,
    private readonly language: string,
    private readonly server: Server,
  ) {}

  day(at: string): string {
    return new Date(at).toLocaleDateString(this.language, { day: 'numeric', month: 'long' })
  }

  entry(one: Entry, first: boolean): HTMLElement {
    const own = !one.outgoing
    const body = el('div', { class: 'body' }, ...(one.deleted ? [this.words.deleted] : linked(one.text)))
    for (const file of one.files) body.append(this.file(file))
    const state = own ? ` · ${this.words.received}` : one.edited && !one.deleted ? ` · ${this.words.edited}` : ''
    const made = el('div', { class: `msg${own ? ' own' : ''}${first ? ' first' : ''}${one.deleted ? ' gone' : ''}` })
    if (!own && first && one.author) made.append(el('div', { class: 'who' }, one.author))
    made.append(body, el('div', { class: 'meta' }, this.time(one.at) + state))
    return made
  }

  waiting(one: Waiting, sent: boolean): HTMLElement {
    const state = one.refused ? this.words.refused : sent ? this.words.sent : this.words.waiting
    const body = el('div', { class: 'body' }, ...linked(one.text))
    for (const file of one.files) body.append(el('div', { class: 'file' }, icon('clip'), file.name))
    const meta = el('div', { class: one.refused ? 'meta bad' : 'meta' }, `${this.time(one.at)} · ${state}`)
    return el('div', { class: 'msg own' }, body, meta)
  }

  words_of(text: string): HTMLElement {
    return el('div', { class: 'msg first' }, el('div', { class: 'body' }, ...linked(text)))
  }

  private time(at: string): string {
    return new Date(at).toLocaleTimeString(this.language, { hour: '2-digit', minute: '2-digit' })
  }

  private file(file: ChatFile): HTMLElement {
    const click = () => void this.save(file)
    const label = `${this.words.download}: ${file.name}`
    const made = el('button', { class: 'file', type: 'button', 'aria-label': label, click })
    made.append(icon('clip'), file.name)
    if (file.ready && /^image\/(png|jpeg|gif|webp)$/.test(file.mime) && (file.size ?? 0) < LARGEST_PREVIEW) {
      void this.preview(file, made)
    }
    return made
  }

  private async preview(file: ChatFile, place: HTMLElement): Promise<void> {
    try {
      const url = previews.get(file.id) ?? URL.createObjectURL(await this.server.file(file.id))
      previews.set(file.id, url)
      const image = el('img', { alt: file.name, src: url })
      // The site's own policy may forbid pictures of this kind: then the name stays.
      image.onload = () => place.replaceChildren(image)
    } catch {
      return
    }
  }

  private async save(file: ChatFile): Promise<void> {
    const url = URL.createObjectURL(await this.server.file(file.id))
    el('a', { href: url, download: file.name }).click()
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
  }
}
