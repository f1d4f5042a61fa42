"""Giving together (一起捐): people raise for one campaign as a team."""
