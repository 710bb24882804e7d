"""What stands behind `cfn_once.crhelper`."""
