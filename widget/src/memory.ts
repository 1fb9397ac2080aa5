// What outlives a reload: localStorage, or this page's memory where the browser forbids it.
const spare = new Map<string, string>()

export class Memory {
  constructor(private readonly prefix: string) {}

  get<T>(name: string, otherwise: T): T {
    let raw: string | null | undefined
    try {
      raw = localStorage.getItem(this.prefix + name)
    } catch {
      raw = spare.get(this.prefix + name)
    }
    try {
      return raw == null ? otherwise : (JSON.parse(raw) as T)
    } catch {
      return otherwise
    }
  }

  set(name: string, value: unknown): void {
    const raw = JSON.stringify(value)
    try {
      localStorage.setItem(this.prefix + name, raw)
    } catch {
      spare.set(this.prefix + name, raw)
    }
  }

  drop(name: string): void {
    spare.delete(this.prefix + name)
    try {
      localStorage.removeItem(this.prefix + name)
    } catch {
      return
    }
  }

  // Another tab changed one of our values.
  watch(changed: (name: string) => void): void {
    addEventListener('storage', (event) => {
      if (event.key?.startsWith(this.prefix)) changed(event.key.slice(this.prefix.length))
    })
  }
}
