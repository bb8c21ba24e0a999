// For whom copies are encrypted, as it is typed.

import type { CopyEncryption, CopyKey } from '$ui/generated/model';
import { t } from '$ui/i18n';

/** An X25519 recipient of age; whether its checksum fits is for the engine to say. */
export function isRecipient(text: string): boolean {
  return /^age1[02-9ac-hj-np-z]{58}$/.test(text);
}

export function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '');
}

/** What is wrong with the name of a file on the machine that runs the engine; `null` of nothing typed. */
export function pathFault(file: string): string | null {
  return file === '' || file.startsWith('/') ? null : t('plan.copies.path');
}

/** Can it be kept? */
export function isWhole(encryption: CopyEncryption | undefined): boolean {
  if (encryption === undefined) return true;
  if (encryption.passphrase_file !== undefined) return encryption.passphrase_file.startsWith('/');
  return encryption.recipients.length > 0 && encryption.recipients.every(isRecipient);
}

/** Are the files named by full paths? */
export function isKeyWhole(key: CopyKey | undefined): boolean {
  return [key?.identity, key?.passphrase_file].every((file) => file === undefined || file.startsWith('/'));
}
