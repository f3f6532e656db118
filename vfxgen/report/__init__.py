"""What people look at after a render: figures against truth, a contact sheet, a review page."""
