"""What an installer needs: settings that are checked, devices that are tested, words on how to mend them."""
