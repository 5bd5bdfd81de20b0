"""What several test modules and programs of this folder use; test modules import from here, never from each other."""
