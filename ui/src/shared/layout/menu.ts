export interface MenuItem {
  label: string;
  run: () => void;
  /** The key that does the same. */
  key?: string;
  danger?: boolean;
  disabled?: boolean;
  hook?: string;
}
