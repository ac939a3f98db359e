import type { Task } from "@/lib/api/types";

/**
 * Tasks that the user has deleted but may still bring back. They are hidden at once and deleted on the
 * server when the time for "Undo" is over, or when the page goes away.
 */
export class Deletions {
  private pending = new Map<string, Task>();
  private hidden: ReadonlySet<string> = new Set();
  private listeners = new Set<() => void>();
  private readonly send: (task: Task, leaving: boolean) => Promise<void>;
  private readonly failed: (task: Task, error: unknown) => void;

  /** `send` deletes on the server; `failed` tells the user that a task is back because that failed. */
  constructor(
    send: (task: Task, leaving: boolean) => Promise<void>,
    failed: (task: Task, error: unknown) => void,
  ) {
    this.send = send;
    this.failed = failed;
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Ids that no list shows; a new set after each change. */
  snapshot = () => this.hidden;

  add(task: Task): void {
    this.pending.set(task.id, task);
    this.hide(task.id);
  }

  /** Brings a task back, unless it is too late. */
  undo(id: string): void {
    if (this.pending.delete(id)) this.show(id);
  }

  /** Deletes on the server. The task stays hidden unless that fails. */
  async commit(id: string, leaving = false): Promise<void> {
    const task = this.pending.get(id);
    if (!task) return;
    this.pending.delete(id);
    try {
      await this.send(task, leaving);
    } catch (error) {
      this.show(id);
      this.failed(task, error);
    }
  }

  /** Deletes everything that is pending now, because the page goes away. */
  flush = () => Promise.all([...this.pending.keys()].map((id) => this.commit(id, true)));

  private hide(id: string) {
    this.hidden = new Set([...this.hidden, id]);
    this.notify();
  }

  private show(id: string) {
    this.hidden = new Set([...this.hidden].filter((other) => other !== id));
    this.notify();
  }

  private notify() {
    for (const listener of this.listeners) listener();
  }
}
