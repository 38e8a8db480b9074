"""The guide: finds items of a catalogue for a need, by constraints in its text, questions, and what reviews say."""
