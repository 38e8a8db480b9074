"""A learnt order of next steps: masked by what a playbook allows, fitted on dialogues, run by ONNX Runtime."""
