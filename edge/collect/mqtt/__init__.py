"""MQTT 3.1.1 and 5: topics to tags, many messages to one scan, acknowledged when durable."""
