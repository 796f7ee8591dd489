"""Acts. Verbs: gather facts through aws and media, ask core, do what it says."""
