/** Programs that play clients: on the path as long as a test wants them there. */
import { chmodSync } from 'node:fs';
import { TestDirectory } from '../command-line.ts';

/**
 * A QEMU that is a guest's console and nothing else: it says its words, is ready at once, and runs
 * what it is told, with its own directory for what goes on. With PANIC set it dies as a kernel does.
 */
export const QEMU = `#!/bin/sh
echo "$@" >&2
marker=$(echo "$@" | sed 's/.*marker=\\([^ ]*\\) .*/\\1/')
[ -z "$PANIC" ] || { echo 'Kernel panic - not syncing'; sleep 60; }
echo "$marker ready"
while read -r number command; do
  [ "$command" != 'poweroff -f' ] || exit 0
  [ "$command" != 'reboot -f' ] || { echo "$marker ready"; continue; }
  command=$(printf '%s' "$command" | sed "s,/tmp/command,\${0%/*}/command,g")
  echo "$marker begin $number"
  (eval "$command") </dev/null 2>&1
  status=$?
  echo
  echo "$marker end $number $status"
done`;

/** A back-end that listens where it is told to, and serves nobody. */
export const LISTENER = `#!${process.execPath}
const socket = process.argv.find((word) => word.startsWith('--socket-path=')).slice(14);
require('node:net').createServer().listen(socket);`;

export class Players {
  readonly files = new TestDirectory();
  private readonly before = { ...process.env };

  /** Puts it before everything else on the path. */
  constructor() {
    process.env['PATH'] = `${this.files.path}:${process.env['PATH']}`;
  }

  /** A program by its name, or by its path in the directory of the players. */
  add(name: string, script: string): void {
    chmodSync(this.files.write(name, script), 0o755);
  }

  /** Takes all of them away, and sets the environment back. */
  remove(): void {
    for (const name of Object.keys(process.env))
      if (!(name in this.before)) delete process.env[name];
    Object.assign(process.env, this.before);
    this.files.remove();
  }
}
