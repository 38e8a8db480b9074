"""The alerter as a process and as a Faust application, and the topic of what people do with alerts."""
