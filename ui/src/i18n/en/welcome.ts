// The first run: an empty workspace and the ways to put something into it.
export const welcome = {
  'welcome.title': 'Welcome to Watchpost',
  'welcome.text': 'This workspace is empty. Choose how to begin; nothing of it is final.',
  'welcome.demo.title': 'Look around with demo data',
  'welcome.demo.text': 'A week of synthetic traffic of a web shop with attacks inside: brute force, injections, scanners. It runs through the same engine as real events and takes about a minute.',
  'welcome.demo.go': 'Fill with demo data',
  'welcome.import.title': 'Import a log file',
  'welcome.import.text': 'An access log of a web server, the log of sshd, or events as JSON lines. See what the engine makes of what you have.',
  'welcome.import.go': 'Choose a file',
  'welcome.connect.title': 'Connect to a Redis',
  'welcome.connect.text': 'Your applications already send security events to a Redis, or will. Watchpost reads them as they come.',
  'welcome.connect.go': 'Add a connection',
  'welcome.running': 'It is on its way. The panels fill as events are processed.',
} as const;
