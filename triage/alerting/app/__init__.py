"""The alerter as a process and as a Faust application, and the topic of people's actions on alerts."""
