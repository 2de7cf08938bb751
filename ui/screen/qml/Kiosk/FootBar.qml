pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

// Back, help, language, contrast: the same four places on every screen.
Rectangle {
    id: root

    required property FrameViewModel frame

    color: Theme.surface
    height: Math.max(Theme.mm * 30, Theme.body * 1.2 + Theme.lead * 1.3 + Theme.mm * 9)

    Rectangle {
        color: Theme.hairline
        height: Theme.hair
        width: parent.width
    }

    FootKey {
        label: root.frame.back
        objectName: "backButton"
        path: Glyphs.back
        width: root.width / 4

        onTapped: root.frame.goBack()
    }

    FootKey {
        label: root.frame.help
        objectName: "helpButton"
        path: Glyphs.bell
        width: root.width / 4
        x: root.width / 4

        onTapped: root.frame.callHelp()
    }

    FootKey {
        label: root.frame.language
        objectName: "languageButton"
        path: Glyphs.language
        width: root.width / 4
        x: root.width / 2

        onTapped: root.frame.switchLanguage()
    }

    FootKey {
        label: root.frame.contrast
        objectName: "contrastButton"
        path: Glyphs.contrast
        width: root.width / 4
        x: root.width * 3 / 4

        onTapped: root.frame.switchContrast()
    }
}
