"""What the scripted model server speaks, and the script that it plays."""
