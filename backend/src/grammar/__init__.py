"""What people type: one grammar of dates, tags and priorities, for quick-add and for the assistant."""
