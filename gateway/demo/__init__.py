"""A contact centre to look at without a PBX: a stand-in AMI server and recorded streams that it plays."""
