export const welcome = {
  'welcome.title': 'Willkommen bei Watchpost',
  'welcome.text': 'Dieser Arbeitsbereich ist leer. Wählen, wie es losgeht; nichts davon ist endgültig.',
  'welcome.demo.title': 'Mit Beispieldaten umsehen',
  'welcome.demo.text': 'Eine Woche künstlicher Verkehr eines Webladens mit Angriffen darin: Brute Force, Injektionen, Scanner. Er läuft durch dieselbe Erkennung wie echte Ereignisse und dauert etwa eine Minute.',
  'welcome.demo.go': 'Mit Beispieldaten füllen',
  'welcome.import.title': 'Protokolldatei einlesen',
  'welcome.import.text': 'Das Zugriffsprotokoll eines Webservers, das Protokoll von sshd oder Ereignisse als JSON-Zeilen. Sehen, was die Erkennung aus dem Vorhandenen macht.',
  'welcome.import.go': 'Datei wählen',
  'welcome.connect.title': 'Mit einem Redis verbinden',
  'welcome.connect.text': 'Ihre Anwendungen senden Sicherheitsereignisse schon an ein Redis, oder werden es. Watchpost liest sie, wie sie kommen.',
  'welcome.connect.go': 'Verbindung hinzufügen',
  'welcome.running': 'Es ist unterwegs. Die Bereiche füllen sich, während Ereignisse verarbeitet werden.',
} as const;
