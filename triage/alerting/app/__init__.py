"""The alerter's process and its Faust application, and the topic that records users' actions on alerts."""
