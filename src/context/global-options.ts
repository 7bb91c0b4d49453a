/** The flags that every command takes, before its name and after it. */
export interface GlobalOptions {
  readonly project?: string;
  readonly region?: string;
  readonly service?: string;
  readonly profile?: string;
  readonly cwd?: string;
  readonly emulator?: boolean;
  readonly via?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
}
